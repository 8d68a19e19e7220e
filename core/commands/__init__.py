"""The commands of the shell, one file for each subject; core/__main__.py names them and their arguments."""
