import { requestOf } from '../../shared/request.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { named, rootIn } from '../../shared/snapshots.ts'
import type { Facts, Run } from '../../shared/step.ts'

/**
 * What a new machine takes over from the one that a snapshot was taken of: everything but what makes it this very machine,
 * which is its name, addresses, identity and records. It is made where the snapshot is.
 */
export function toClone(run: Run, definition: Definition): Facts {
  const { snapshot, as } = requestOf(run, 'clone')
  const { cluster, name, template, guest, guestAgent, size, rootDisk, disks, customizations } = definition
  const found = named(definition, snapshot)
  // Of a root disk that is gone nobody can tell what it was made from: no image is the one that it has.
  const { image, version } = (found && rootIn(definition, found)) ?? {
    image: definition.image,
    version: `snapshot ${found?.name}`,
  }
  const plain = ({ size, storageClass }: Definition['rootDisk']) => ({ size, ...(storageClass && { storageClass }) })
  return {
    origin: { name, snapshot, owner: as.owner ?? definition.owner, volumes: {}, ...(version && { version }) },
    labels: definition.labels,
    machine: {
      ...{ template, guest, guestAgent, image, size, customizations },
      rootDisk: plain(rootDisk),
      disks: disks.map((disk) => ({ name: disk.name, ...plain(disk) })),
      networks: definition.interfaces.map(({ network }) => ({ network })),
      variables: definition.variables ?? {},
      placement: { cluster },
    },
  }
}
