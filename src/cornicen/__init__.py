"""Cornicen keeps OneSignal segments equal to cohorts, and proves it.

The rooms, from the ground up (``ARCHITECTURE.md`` has the floor plan):

====================  ================================================================
``errors``            what can go wrong, one tree
``events``, ``wire``  what happened; bytes, whoever sends them
``cohorts``           what a cohort means
``identity``          who is who
``delivery``          what is still to say
``sql``               query to SQL
``flows``             the verbs, and the ports they need
``state``             what was decided
``warehouse``         our own events
``engines``           where a cohort is asked
``integrations``      who we talk to, one folder a vendor
``apps``              the doors and roles
``testing``           contract suites and fixtures for whoever adds a folder
====================  ================================================================
"""

__version__ = "0.1.0"
