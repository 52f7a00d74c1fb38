"""Where networks of mini scale start: weights trained on rendered people whom no table shows. It has no claims."""
