/** Whole runs under faults and attacks, and real servers: their own ring, for what they take is waiting and processes. */
export const slow = [
  'test/chain/{access,attacks,bad-input,callback,came-anew,changes,clocks,every-task,examples,failures,golden-image,late,many,metrics,older,outage,outside,plans,protected,replayed,restore-hangs,retention,rotation,sweep}.test.ts',
  'test/local/main.test.ts',
  'test/runtime/{container,start}.test.ts',
  'test/scripts/preflight/preflight.test.ts',
  'test/security/long/*.test.ts',
  'test/shared/clients/git-{faults,function,https,lines,protected,proxy,ssh,state,token}.test.ts',
]
