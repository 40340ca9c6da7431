"""Servers that speak as the providers do, over HTTPS on loopback, and keep what they were asked."""
