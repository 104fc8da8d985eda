#!/usr/bin/env bash
source ./prices.sh

# Adds a line to the cart. Größe 😀
# Takes the line.
add_line() {
  local size=${#lines[@]}
  if [[ $1 -gt 0 ]]; then
    lines+=("$1")
    echo "added $1"
  fi
  return "$size"
}

function price_of {
  local sum=0
  for line in "$@"; do
    sum=$((sum + $(with_tax "$line")))
  done
  echo "$sum"
}

price_of 1 2 3
