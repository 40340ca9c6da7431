"""Programs: the levels of care, the places where care is given, and what the clinic says about itself.

A program is what a level of care is called and how it works, published by the clinic in revisions; the
current revision is what everybody reads, whole, or the one before it. What is not known is absent: no
number, no flag and no step is invented. Only what the clinic says it offers can be placed in; the other
levels stand here for orientation. Nothing in this slice knows of a patient, and placement is by
assessment, never by a page.
"""
