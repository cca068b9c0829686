"""What a simulated application holds, and the rules by which it changes. Every change happens whole or not at all."""
