"""`baton up`: everything on this machine, each worker a process of its own, watched and restarted."""
