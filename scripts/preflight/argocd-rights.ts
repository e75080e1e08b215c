import { ocm } from '../../shared/clients/kinds.ts'
import { known } from './answer.ts'
import type { Area, List, Named } from './area.ts'
import { cannotTell } from './finding.ts'
import { checkRights, type RightsFacts, review, rights } from './rights.ts'

/** What Argo CD's controller may do where it applies the fleet repository's `hub/`. An operator lets it write nothing of OCM. */

interface Workload extends Named {
  spec: { template: { spec: { serviceAccountName?: string } } }
}

const neededFor = (argocd: string) => [
  ...rights('create patch delete', ocm, 'placements', argocd),
  ...rights('create patch delete', 'argoproj.io', 'applications', argocd),
]

export const argocdRights: Area<RightsFacts | undefined> = {
  title: "Argo CD's rights",
  async read(ask, { namespace, argocd }) {
    // Before Drover is installed nobody has bound them.
    if ((await ask.get(`/api/v1/namespaces/${namespace}`)).state === 'missing') return undefined
    const sets = await ask.get<List<Workload>>(`/apis/apps/v1/namespaces/${argocd}/statefulsets`)
    const controller = known(sets)?.items.find(({ metadata }) => metadata.name.endsWith('application-controller'))
    const name = controller?.spec.template.spec.serviceAccountName
    return {
      accounts: name === undefined ? [] : [await review(ask, { namespace: argocd, name }, neededFor(argocd), [])],
    }
  },
  check(facts, { argocd }) {
    if (facts?.accounts.length === 0)
      return [
        cannotTell(
          `Namespace ${argocd} shows no StatefulSet application-controller, nor what Argo CD may write there`,
          'see that its controller may write Placements',
        ),
      ]
    const todo = 'kubectl apply -k examples/install/argocd, and name that account in its RoleBinding drover-placements'
    return facts ? checkRights(facts, `${todo}; for OpenShift GitOps a component does it`) : []
  },
}
