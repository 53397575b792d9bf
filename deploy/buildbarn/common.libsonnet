// What scheduler and workers have in common. start.sh sets the variables.
{
  dir: std.extVar('BUILDBARN_DIR'),

  // An action finds workers that offer just the platform properties that it
  // wants: those that bring their root along, and those that need none.
  platforms: [
    { properties: [{ name: 'kvfarm-root', value: 'root' }] },
    { properties: [] },
  ],

  maximumMessageSizeBytes: 16 * 1024 * 1024,

  // The store of `kvfarm serve`. Only who has the token may write results.
  storage: { grpc: { client: {
    address: std.extVar('BUILDBARN_CACHE'),
    addMetadata: [{ header: 'authorization', values: ['Bearer ' + std.extVar('BUILDBARN_TOKEN')] }],
  } } },
}
