"""What turns the chapters into a site: execute, check, stage, build."""
