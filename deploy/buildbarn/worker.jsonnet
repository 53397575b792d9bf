local common = import 'common.libsonnet';

local name = std.extVar('BUILDBARN_WORKER');
local dir = common.dir + '/' + name;
local fuse = std.extVar('BUILDBARN_RUNNER') == 'fuse';

// Inputs are hard links to what is cached.
local native = { native: {
  buildDirectoryPath: dir + '/build',
  cacheDirectoryPath: dir + '/cache',
  maximumCacheFileCount: 200000,
  maximumCacheSizeBytes: 8 * 1024 * 1024 * 1024,
  cacheReplacementPolicy: 'LEAST_RECENTLY_USED',
} };

// What actions write in virtual folders: the bytes that there is room for.
local poolSize = 1024 * 1024 * 1024;

// Inputs are read as they are looked at.
local virtual = { virtual: {
  mount: {
    mountPath: dir + '/build',
    fuse: {
      directoryEntryValidity: '300s',
      inodeAttributeValidity: '300s',
      mountMethod: 'DIRECT',
    },
  },
  maximumExecutionTimeoutCompensation: '3600s',
  maximumWritableFileUploadDelay: '60s',
} };

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

  [if fuse then 'filePool']: { blockDevice: { file: {
    path: dir + '/pool',
    sizeBytes: poolSize,
  } } },

  buildDirectories: [(if fuse then virtual else native) + {
    runners: [
      {
        endpoint: { address: 'unix://%s/run/%s-%d' % [common.dir, name, i] },
        platform: common.platforms[i],
        concurrency: std.parseInt(std.extVar('BUILDBARN_SLOTS')),
        workerId: { worker: name },
        [if fuse then 'maximumFilePoolFileCount']: 100000,
        [if fuse then 'maximumFilePoolSizeBytes']: poolSize,
      }
      for i in std.range(if fuse then 1 else 0, std.length(common.platforms) - 1)
    ],
  }],
}
