"""Reminders: what will be said to a patient, when, and why; and what was said, or held back, and why.

The *plan* is a pure function of a patient's appointments, placements, wishes and the time. It is stored as rows
of the *ledger* and rewritten in the same transaction as whatever changes it: a move, a cancellation, a reply, a
wish, a zone, an enrollment, an account. A *lead* is how long before an appointment something is said; a *change*
is a moved, cancelled or restored appointment, said once. Every entry has one state and one reason, also what is
held back; what became one with another entry names that other.

Invariants: nothing is said in the patient's quiet hours, nor after the appointment has begun; nothing is said
twice; two things that would arrive within two hours, or in one evening, are one. The words say when, never what.
"""
