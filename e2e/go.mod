module sealreel/e2e

go 1.26

require (
	sealreel v0.0.0
	sealreel/local v0.0.0
)

replace (
	sealreel => ../
	sealreel/local => ../local
)
