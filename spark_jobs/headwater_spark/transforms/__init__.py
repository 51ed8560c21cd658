"""What becomes of rows between the layers: pure DataFrame in, DataFrame out."""
