"""Referrals: somebody is sent here by a partner, or asks for a call themselves.

What a partner sends is a snapshot of its own: the person as that partner knows them. It is never matched to a patient
by a machine, nor merged with another referral. Two sides write, and neither writes the other's rows: the *referral* and
its *documents* are the sender's; its *triage* (where it stands, whose patient it became) is the clinic's, and the
database role of the partner's door cannot read it at all. The sender's acts reach triage and the *events* by a trigger
of the owner, so a partner cannot learn from any answer, or from its time, how far the clinic has come.

What a partner sees of the clinic's side is what the disclosure gate releases: without a consent that names it, a
referral stays `received` for as long as its sender does not take it back (42 CFR 2.12, 2.31, 2.33).
"""
