"""The words of the product as frozen values. Imports nothing of Headwater but itself, and does no input or output."""
