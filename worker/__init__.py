"""The worker: takes jobs from the queue, several at a time, and explains them on the device it owns."""
