"""Who asks, and what they may do: API keys, their scopes and their tenants' quotas."""
