"""The app's first screen: what matters today, read across the clinic's slices in one go.

It stores nothing. Its answer changes with the patient's version, the catalogue's, and the clock: `valid_until` says
when the clock alone will change it, so an app may show it until then without asking.
"""
