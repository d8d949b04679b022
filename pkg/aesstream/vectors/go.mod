module sealreel/pkg/aesstream/vectors

go 1.26.4

require (
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	sealreel v0.0.0
)

replace sealreel => ../../../
