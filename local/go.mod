module sealreel/local

go 1.26

require (
	github.com/versity/versitygw v1.7.0 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
)
