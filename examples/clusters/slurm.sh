#!/usr/bin/env bash
# A run on the nodes of a SLURM job. The words behind the script's name are those of `evo`:
#
#     sbatch slurm.sh run Humanoid-v5 --out runs/humanoid
#     sbatch slurm.sh resume runs/humanoid
#
# Submit it from a folder that all nodes share, with the Python environment active that has evo-creatures[ray].
#SBATCH --job-name=evo
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail

# Jobs may share a node: each has its own port (Ray chooses the others: 0), and a folder, whose path must be short.
export EVO_HEAD EVO_PORT=$((20000 + SLURM_JOB_ID % 10000)) EVO_FOLDER=/tmp/ray-$SLURM_JOB_ID
EVO_HEAD=$(hostname) # this script runs on the first node
# Whoever reaches a cluster's ports can run code as its user; a token keeps others out.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')

# Seconds that Ray has to begin: a folder that many nodes read at once is slow.
export RAY_raylet_start_wait_time_s=300 RAY_gcs_server_request_timeout_seconds=300

# shellcheck disable=SC2016 # the words of each node's own shell
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" bash -c '
  place=(--address="$EVO_HEAD:$EVO_PORT")
  if [ "$SLURM_PROCID" = 0 ]; then
    place=(--head --port="$EVO_PORT" --include-dashboard=false --temp-dir="$EVO_FOLDER")
  fi
  trap "ended=yes; kill \$!" TERM
  until [ -n "${ended-}" ]; do # a node that fails begins again, and joins the run
    ray start "${place[@]}" --num-cpus="$SLURM_CPUS_PER_TASK" --disable-usage-stats --block \
      --min-worker-port=0 --max-worker-port=0 --dashboard-agent-listen-port=0 &
    wait $! || wait
    sleep 2
  done
  rm -rf "$EVO_FOLDER"
' &
nodes=$!
trap 'kill -TERM "$nodes"; wait "$nodes" || true' EXIT

until (exec 3<>"/dev/tcp/$EVO_HEAD/$EVO_PORT") 2>/dev/null; do
  if ((SECONDS > 600)) || ! kill -0 "$nodes"; then
    echo "Ray did not begin on $EVO_HEAD" >&2
    exit 1
  fi
  sleep 1
done
evo "$@" --workers "ray:$EVO_HEAD:$EVO_PORT" & # nodes that come later join it
run=$!
trap 'kill -TERM "$run"' TERM # two minutes before the time is over: the run saves what it has
status=0
wait "$run" || wait "$run" || status=$?
exit "$status"
