local common = import 'common.libsonnet';

// On loopback everybody on this machine may use it, as with `kvfarm serve`.
local anyone = { allow: {} };

{
  clientGrpcServers: [{
    listenAddresses: [std.extVar('BUILDBARN_EXECUTOR')],
    authenticationPolicy: anyone,
    maximumReceivedMessageSizeBytes: common.maximumMessageSizeBytes,
  }],
  workerGrpcServers: [{
    listenPaths: [common.dir + '/run/scheduler'],
    authenticationPolicy: anyone,
    maximumReceivedMessageSizeBytes: common.maximumMessageSizeBytes,
  }],
  contentAddressableStorage: common.storage,
  maximumMessageSizeBytes: common.maximumMessageSizeBytes,

  executeAuthorizer: { allow: {} },
  synchronizeAuthorizer: { allow: {} },
  modifyDrainsAuthorizer: { deny: {} },
  killOperationsAuthorizer: { deny: {} },

  actionRouter: { simple: {
    platformKeyExtractor: { action: {} },
    invocationKeyExtractors: [{ correlatedInvocationsId: {} }, { toolInvocationId: {} }],
    initialSizeClassAnalyzer: {
      defaultExecutionTimeout: '3600s',
      maximumExecutionTimeout: '86400s',
    },
  } },

  // Queues that are there before the first worker is: actions wait for one.
  predeclaredPlatformQueues: [
    { platform: platform, sizeClasses: [0] }
    for platform in common.platforms
  ],
  platformQueueWithNoWorkersTimeout: '900s',
}
