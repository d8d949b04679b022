package lambda

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
)

// reserved are the variables that a function's configuration can't set
// (AWS: Lambda environment variables, defined runtime environment
// variables).
var reserved = map[string]bool{
	"_HANDLER": true, "_X_AMZN_TRACE_ID": true, "AWS_DEFAULT_REGION": true, "AWS_REGION": true,
	"AWS_EXECUTION_ENV": true, "AWS_LAMBDA_FUNCTION_NAME": true, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true,
	"AWS_LAMBDA_FUNCTION_VERSION": true, "AWS_LAMBDA_INITIALIZATION_TYPE": true, "AWS_LAMBDA_LOG_GROUP_NAME": true,
	"AWS_LAMBDA_LOG_STREAM_NAME": true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true,
	"AWS_SESSION_TOKEN": true, "AWS_LAMBDA_RUNTIME_API": true, "LAMBDA_TASK_ROOT": true, "LAMBDA_RUNTIME_DIR": true,
	"AWS_LAMBDA_LOG_FORMAT": true, "AWS_LAMBDA_LOG_LEVEL": true,
}

// variables returns the whole environment of a process: nothing of the
// host's own is passed on. TMPDIR is ours, since environments can't each
// have a /tmp here.
func (f *function) variables(credentials Credentials, api, stream, tmp string) []string {
	spec := f.spec
	all := map[string]string{
		"PATH":            "/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"LANG":            "en_US.UTF-8",
		"TZ":              ":UTC",
	}
	maps.Copy(all, spec.Environment) // these four may be changed, the rest may not
	maps.Copy(all, map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          api,
		"AWS_LAMBDA_FUNCTION_NAME":        spec.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(spec.MemoryMB),
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       spec.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      stream,
		"AWS_REGION":                      f.config.Region,
		"AWS_DEFAULT_REGION":              f.config.Region,
		"AWS_ACCESS_KEY_ID":               credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           credentials.SecretAccessKey,
		"LAMBDA_TASK_ROOT":                filepath.Dir(spec.Program),
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"_HANDLER":                        filepath.Base(spec.Program),
		"TMPDIR":                          tmp,
	})
	for name, value := range map[string]string{
		"AWS_SESSION_TOKEN":     credentials.SessionToken,
		"AWS_LAMBDA_LOG_FORMAT": spec.LogFormat,
		"AWS_LAMBDA_LOG_LEVEL":  spec.LogLevel,
	} {
		if value != "" {
			all[name] = value
		}
	}
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}
