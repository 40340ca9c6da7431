"""Messages: how words leave the house.

A message is a neutral sentence and an opaque recipient. The lock screen, the push provider and whoever looks over a
shoulder may read it, so it says when, or that something waits, and never what, where or with whom: no clinic, no
program, no person (domain.md §4.7, §5 items 20 and 1). Its text is a `template` in two languages.

A *gateway* takes messages under an idempotency key. Whoever sends claims first, closes the transaction, delivers,
then settles; after a crash it delivers again under the same key, and the gateway takes each key once.
"""
