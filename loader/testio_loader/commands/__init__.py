"""What people type: one command a module. Heavy libraries are imported when a command runs."""
