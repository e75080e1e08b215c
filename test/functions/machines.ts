import type { Machines, MachineView } from '../../shared/machines.ts'

/** Nothing of a machine. */
export const nothing: MachineView = {
  application: undefined,
  machine: undefined,
  instance: undefined,
  disks: [],
  secrets: [],
}

type Shown = MachineView | (() => unknown)

/** A cluster that shows these views one after another, and then nothing new; a function is awaited in between. */
export function machinesShowing(...views: Shown[]): Machines & { refreshed: string[] } {
  const refreshed: string[] = []
  return {
    refreshed,
    refresh: async (application) => void refreshed.push(application),
    settle: async (application) => refreshed.push(application) > 0,
    claims: async (_, __, names) =>
      names.map((name) => ({ metadata: { name, uid: `uid-of-${name}` }, status: { phase: 'Bound' } })),
    holders: async () => [],
    lastWords: async () => '',
    volumesOf: async () => ({}),
    sizeIn: async () => undefined,
    waitsForPod: async () => false,
    restoring: async () => 'in place',
    async *watch(_, signal) {
      for (const view of views) {
        if (signal.aborted) return
        if (typeof view === 'function') await view()
        else yield view
      }
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  }
}
