module sealreel/e2e

go 1.26

require (
	github.com/Eyevinn/hls-m3u8 v0.6.0
	sealreel v0.0.0
	sealreel/local v0.0.0
)

replace (
	sealreel => ../
	sealreel/local => ../local
)
