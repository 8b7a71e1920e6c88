"""The worker: takes jobs from the queue, one at a time, and explains them on the device it owns."""
