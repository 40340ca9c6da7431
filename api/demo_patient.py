"""Who the synthetic patient of development is, to the record system and to carriers."""

PATIENT = "EHR-100234"
# Reserved for fiction (555-0100 to 555-0199).
NUMBER = "+12025550123"
