.PHONY: run test

run:
	./dev up

test:
	./dev test
