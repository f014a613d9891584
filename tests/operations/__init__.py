"""Operations: what a crash, a full disk, a second run or a server does to what is published."""
