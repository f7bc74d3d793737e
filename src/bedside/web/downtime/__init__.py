"""What is there while nothing runs: the downtime copies, and the page where paper is typed in afterwards."""
