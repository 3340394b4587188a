"""Delivery of one answer to one place of a platform: throttled, split, edited, finished once.

outlet       what a platform can do, and how it refuses: the interface that each adapter implements
splitting    Markdown in pages (pure)
pace         how often something may be done (by the clock it is given)
deliver      an event stream to an outlet, from the first words to the final edit
"""
