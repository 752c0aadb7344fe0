"""Attacks on a portal of our own, by loopback alone: each module's ``run`` yields rows.

A row is (name of the attack, tried, failed, note); what failed must be 0.
"""
