local common = import 'common.libsonnet';

local name = std.extVar('BUILDBARN_WORKER');
local dir = common.dir + '/' + name;

{
  blobstore: {
    contentAddressableStorage: common.storage,
    actionCache: common.storage,
  },
  scheduler: { address: 'unix://' + common.dir + '/run/scheduler' },
  maximumMessageSizeBytes: common.maximumMessageSizeBytes,
  directoryCache: {
    maximumCount: 100000,
    maximumSizeBytes: 100 * 1024 * 1024,
    cacheReplacementPolicy: 'LEAST_RECENTLY_USED',
  },
  inputDownloadConcurrency: 10,
  outputUploadConcurrency: 10,

  buildDirectories: [{
    native: {
      buildDirectoryPath: dir + '/build',
      cacheDirectoryPath: dir + '/cache',
      maximumCacheFileCount: 200000,
      maximumCacheSizeBytes: 8 * 1024 * 1024 * 1024,
      cacheReplacementPolicy: 'LEAST_RECENTLY_USED',
    },
    runners: [
      {
        endpoint: { address: 'unix://%s/run/%s-%d' % [common.dir, name, i] },
        platform: common.platforms[i],
        concurrency: std.parseInt(std.extVar('BUILDBARN_SLOTS')),
        workerId: { worker: name },
      }
      for i in std.range(0, std.length(common.platforms) - 1)
    ],
  }],
}
