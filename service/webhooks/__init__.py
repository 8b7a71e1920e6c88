"""Webhooks: messages about ended jobs, as Standard Webhooks has them."""
