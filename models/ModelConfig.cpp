//===- ModelConfig.cpp - A model as plain data ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ModelConfig.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chipwright::models {

bool ModelConfig::hasExperts() const {
  return denseLayers() != static_cast<int64_t>(layers.size());
}

int64_t ModelConfig::denseLayers() const {
  return std::count_if(layers.begin(), layers.end(),
                       [](const LayerConfig &layer) {
                         return layer.feedForward == FeedForward::Dense;
                       });
}

namespace {

/// Pairs below the first bound keep their frequency, those above the second
/// one have it divided, those between are blended.
std::pair<double, double> yarnBounds(const RopeConfig &rope, double size) {
  const RopeScaling &scaling = rope.scaling;
  // The pair that turns `rotations` times within the original positions.
  auto pairOf = [&](double rotations) {
    return size *
           std::log(scaling.originalPositions /
                    (2 * std::numbers::pi * rotations)) /
           (2 * std::log(rope.theta));
  };
  double low = pairOf(scaling.betaFast), high = pairOf(scaling.betaSlow);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, size - 1);
  return {low, high == low ? high + 0.001 : high};
}

} // namespace

double yarnMagnitude(double factor, double weight) {
  return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1;
}

std::vector<float> inverseFrequencies(const RopeConfig &rope,
                                      int64_t headSize) {
  std::vector<float> result;
  for (int64_t i = 0; 2 * i < headSize; ++i) {
    double frequency = std::pow(rope.theta, -2.0 * static_cast<double>(i) /
                                                static_cast<double>(headSize));
    const RopeScaling &scaling = rope.scaling;
    if (scaling.kind == RopeScalingKind::Llama3) {
      // Wavelengths are compared with two bounds; when the bounds are equal
      // (Llama 4 Scout) nothing lies between them and the blend, which would
      // divide by their difference, is never reached.
      double waveLength = 2 * std::numbers::pi / frequency;
      double high = scaling.originalPositions / scaling.highFrequencyFactor;
      double low = scaling.originalPositions / scaling.lowFrequencyFactor;
      if (waveLength > low) {
        frequency /= scaling.factor;
      } else if (waveLength >= high && low > high) {
        double s = (scaling.originalPositions / waveLength -
                    scaling.lowFrequencyFactor) /
                   (scaling.highFrequencyFactor - scaling.lowFrequencyFactor);
        frequency = (1 - s) * frequency / scaling.factor + s * frequency;
      }
    } else if (scaling.kind == RopeScalingKind::Yarn) {
      auto [low, high] = yarnBounds(rope, static_cast<double>(headSize));
      double s =
          std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
      frequency = frequency / scaling.factor * s + frequency * (1 - s);
    }
    result.push_back(static_cast<float>(frequency));
  }
  return result;
}

double temperatureAt(const TemperatureConfig &config, int64_t position) {
  double steps =
      std::floor((static_cast<double>(position) + 1) / config.floorScale);
  return std::log1p(steps) * config.scale + 1;
}

} // namespace chipwright::models
