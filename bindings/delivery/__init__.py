"""Delivery of one answer to one place of a platform: throttled, split, edited, finished once.

outlet       what a platform can do, and how it refuses: the interface that each adapter implements
manner       how an answer is to be delivered, and what became of it (values)
deliver      an event stream, a notice or a file to an outlet: what the intake calls
draft        the answer as far as it came
writer       brings an outlet to show the draft, from the first words to the final edit
finishing    the pages of an answer that is whole, with what stands under it
line         one call at a time to the platform, and when to try again
pace         how often something may be done (by the clock it is given)
progress     what is being done, where it is no status of the core's
health       whether the platform works, over all deliveries of a process
splitting    Markdown in pages (pure), by `blocks`, `borders` and `graphemes`
words        what it tells a person by itself
"""
