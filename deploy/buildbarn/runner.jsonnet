// Buildbarn's own runner, for a worker's actions that bring no root along.
local dir = std.extVar('BUILDBARN_DIR');
local worker = std.extVar('BUILDBARN_WORKER');

{
  buildDirectoryPath: '%s/%s/build' % [dir, worker],
  grpcServers: [{
    listenPaths: ['%s/run/%s-1' % [dir, worker]],
    authenticationPolicy: { allow: {} },
  }],
}
