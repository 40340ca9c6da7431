"""What needs a person at the clinic: safety alerts, and tasks for everything else.

- One open alert per patient; further hits append to it. An alert is told to the duty contacts one after another,
  each with a deadline, again and again, until somebody at the clinic acknowledges it.
- One open task per patient and cause; it closes itself when the cause is gone.
- What leaves the house says that something waits, and nothing of whom or what (`messages`).

Stands below the slices that raise alerts and tasks, and knows none of them.
"""
