"""Posts one answer in one place of a platform: throttled, split into pages, edited while it grows, finished once.

outlet           the interface that each adapter implements, and its errors
context          rate limits, retries and options of a delivery, and its outcome
deliver          the entry: delivers an event stream, a notice or a file
partial_answer   the answer so far, built from events
ladder           the forms of an answer, from the richest to the plainest, one step after each refusal
page_writer      makes the posted pages match the answer, from the first words to the final edit
clean_up         deletes pages that nobody needs, with few tries
refusal          tells the person that no form was accepted
final_pages      the pages of a finished answer, with its footer, sources and notices
splitting        splits Markdown into pages (pure), with `blocks` and `cut_points`
"""
