"""What a person types: `flask box …`, doctor among it."""
