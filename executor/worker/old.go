package worker

//lint:file-ignore SA1019 clients of v2.0 and v2.1 use these fields

import (
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
)

// wanted is the outputs that the command names, relative to its working
// directory: the field of v2.1, else those of v2.0.
func (j *job) wanted() []string {
	if len(j.command.OutputPaths) > 0 {
		return j.command.OutputPaths
	}
	return slices.Concat(j.command.OutputFiles, j.command.OutputDirectories)
}

// oldSymlink adds a link to the fields that clients of v2.0 look at.
func (j *job) oldSymlink(r *repb.ActionResult, link *repb.OutputSymlink) {
	switch {
	case len(j.command.OutputPaths) > 0:
	case slices.Contains(j.command.OutputFiles, link.Path):
		r.OutputFileSymlinks = append(r.OutputFileSymlinks, link)
	default:
		r.OutputDirectorySymlinks = append(r.OutputDirectorySymlinks, link)
	}
}

// platform is the action's, or for clients older than v2.2 the command's.
func (j *job) platform() *repb.Platform {
	if j.action.Platform != nil {
		return j.action.Platform
	}
	return j.command.Platform
}
