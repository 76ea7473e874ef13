"""Cards for the Hugging Face Hub: what a dataset holds, and what a policy can do."""
