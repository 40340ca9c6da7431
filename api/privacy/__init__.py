"""What may be told of a patient outside the clinic, and what was (42 CFR part 2, as amended in 2024).

A consent is the patient's permission for one partner, or for the class of those who treat them. What holds here:

- A consent is kept as it was signed: its words never change, and other words are another consent.
- Whether it counts is decided when something is read, never when it was given: it may have been revoked, have expired,
  or its recipient may have changed since.
- Revoking takes effect at the next read, on every worker. What was told before then stays told, and is shown.
- Answers and scores of check-ins, counseling notes and anything for legal proceedings are nothing that a consent here
  can release.
- A restriction that the clinic has agreed to takes away what a consent would allow.
- Nothing of this stands between a patient and crisis help.
"""
