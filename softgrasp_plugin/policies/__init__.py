"""The paper's policy, those it is compared with, and what they share."""
