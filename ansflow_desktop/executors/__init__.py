"""Plans and runs steps: from data to commands to events."""
