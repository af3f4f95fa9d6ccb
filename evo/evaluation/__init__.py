"""What scores parameters: compiled episodes and forward passes, Gymnasium's episodes, and collected experience."""
