"""`make bench`: how fast it is, beside honest peers that do the same work in the same minutes.

Ratios are quoted, never absolutes: one server measured thrice on a shared machine gave 570, 1133 and 1586 requests a
second. So contestants take turns in many short rounds, and a figure is the median of the rounds' ratios.
"""
