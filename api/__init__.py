"""Continuum: how the promise in `schemas/` and `openapi/` is kept.

Files are the frame, folders are the clinic; the README draws the picture.
"""
