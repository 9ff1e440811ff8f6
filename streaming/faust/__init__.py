"""The engine as a service inside a Faust app."""
