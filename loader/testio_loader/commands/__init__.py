"""The commands, one per module. They import heavy libraries only when they run."""
